-- Two users of a production database, made once by an administrator of the server. Replace the passwords.
-- The owner migrates. The application runs with rights on rows alone: no trigger that guards a ledger can be
-- dropped, and no table emptied, through it. EXECUTE is for the procedure that shows it whether the triggers are there.
CREATE DATABASE hsh_lpg CHARACTER SET utf8mb4;
CREATE USER 'hsh_lpg_owner'@'%' IDENTIFIED BY 'owner-password';
GRANT ALL PRIVILEGES ON hsh_lpg.* TO 'hsh_lpg_owner'@'%';
CREATE USER 'hsh_lpg'@'%' IDENTIFIED BY 'application-password';
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON hsh_lpg.* TO 'hsh_lpg'@'%';
