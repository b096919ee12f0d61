-- Outside a transaction: CONCURRENTLY lets customers order while it runs.
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_user_id ON orders (user_id);
