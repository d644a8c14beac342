SET LOCAL lock_timeout = '3s';

-- A program with a delegating token says for whom it acts (`X-Pickgate-Actor`); the audit then names both.
ALTER TABLE api_tokens ADD COLUMN delegating boolean NOT NULL DEFAULT false;
