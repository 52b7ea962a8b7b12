"""One YAML file a body: data with citations. This package reads them and says exactly what is wrong with a bad one."""
