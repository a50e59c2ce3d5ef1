-- The only clock of the database. Read it once a statement, as (SELECT muster_now()): bare in a WHERE it forces a
-- sequential scan.
CREATE FUNCTION muster_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT clock_timestamp()';
