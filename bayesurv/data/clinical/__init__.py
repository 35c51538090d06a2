"""Clinical tables: dates, scans, adverse events and laboratory values, before any endpoint."""
