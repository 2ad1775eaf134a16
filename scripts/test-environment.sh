# shellcheck shell=sh
# The settings that tests and checks run under, so that no developer's .env changes their outcome: those of
# .env.example (the environment goes before .env), and below what differs. The database is each script's own.
while IFS= read -r line; do
    case $line in
        DB_*) ;;
        [A-Z]*=*) export "${line%%=*}=${line#*=}" ;;
    esac
done <.env.example

export SECRET_KEY=for-tests-only-0123456789abcdefghijklmnopqrstuvwxyz
export JWT_SIGNING_KEY=also-for-tests-only-0123456789abcdefghijklmnopqrstuv
export DEBUG=False
export ALLOWED_HOSTS=testserver,localhost,127.0.0.1
export EMAIL_FILE_PATH=
export MEDIA_ROOT=var/test-media
export STATIC_ROOT=var/test-static
