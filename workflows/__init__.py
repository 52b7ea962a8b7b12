"""The case workflow: time, order and promises. No rule of any policy."""
