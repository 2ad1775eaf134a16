# shellcheck shell=sh
# The settings that tests and checks run under, so that no developer's .env changes their outcome.
SECRET_KEY=for-tests-only-0123456789abcdefghijklmnopqrstuvwxyz
JWT_SIGNING_KEY=also-for-tests-only-0123456789abcdefghijklmnopqrstuv
DEBUG=False
ALLOWED_HOSTS=testserver,localhost,127.0.0.1
SECURE_SSL_REDIRECT=False
SECURE_HSTS_SECONDS=0
THROTTLE_LOGIN=5/min
NUM_PROXIES=0
EMAIL_FILE_PATH=
MEDIA_ROOT=var/test-media
export SECRET_KEY JWT_SIGNING_KEY DEBUG ALLOWED_HOSTS SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS THROTTLE_LOGIN NUM_PROXIES
export EMAIL_FILE_PATH MEDIA_ROOT
