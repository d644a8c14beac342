SET LOCAL lock_timeout = '3s';

-- Versions of the rulebook. A published one never changes; the newest published one decides.
CREATE TABLE rulebooks (
    number       integer     PRIMARY KEY,
    tables       jsonb       NOT NULL,
    note         text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    published_at timestamptz,
    published_by text
);
CREATE INDEX rulebooks_published ON rulebooks (published_at) WHERE published_at IS NOT NULL;
