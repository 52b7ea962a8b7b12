"""Every way in from outside: the Python client and the command line."""
