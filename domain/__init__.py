"""What the policies mean, as pure Python: no engine, database, clock, logging or I/O."""
