"""Everything a case does to the world: act on the record, send a notice."""
