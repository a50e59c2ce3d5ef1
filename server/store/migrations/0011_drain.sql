-- Somebody asked for the session to take nothing more: no statement assigns to it once this is committed. Apart from
-- `draining`, which each heartbeat sets to what the worker says of itself.
ALTER TABLE sessions ADD COLUMN drain_wanted boolean NOT NULL DEFAULT false;
