SET LOCAL lock_timeout = '3s';

-- Exceptions. Open: `resolved_at` is null. `cause_holds` outlives a person's resolution, so that an exception that a
-- person has closed does not open again while its cause persists, and does when the cause has gone and come back.
CREATE TABLE exceptions (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope         text        NOT NULL,
    order_row     bigint      REFERENCES orders (id),
    order_name    text        NOT NULL DEFAULT '',
    shop          text        NOT NULL,
    code          text        NOT NULL,
    fingerprint   text        NOT NULL,
    owner         text        NOT NULL,
    severity      text        NOT NULL CHECK (severity IN ('urgent', 'high', 'normal')),
    summary       text        NOT NULL,
    detail        jsonb       NOT NULL DEFAULT '{}',
    actions       text[]      NOT NULL DEFAULT '{}',
    count         integer     NOT NULL DEFAULT 1,
    opened_at     timestamptz NOT NULL,
    last_found_at timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    cause_holds   boolean     NOT NULL DEFAULT true,
    assignee      text,
    snoozed_until timestamptz,
    notes         jsonb       NOT NULL DEFAULT '[]',
    resolved_at   timestamptz,
    resolution    text,
    closed_by     text,
    CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CHECK (resolved_at IS NOT NULL OR cause_holds)
);
CREATE UNIQUE INDEX exceptions_held ON exceptions (scope, fingerprint) WHERE cause_holds;
CREATE INDEX exceptions_open ON exceptions (due_at) WHERE resolved_at IS NULL;
CREATE INDEX exceptions_by_order ON exceptions (order_row) WHERE order_row IS NOT NULL;
CREATE INDEX exceptions_by_code ON exceptions (code, opened_at);
