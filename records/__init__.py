"""What a body keeps: cases, log, restrictions, sign-offs, notices, register. Reads and writes as plain functions."""
