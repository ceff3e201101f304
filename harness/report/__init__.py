"""Verdicts and what is written of them: terminal, results.json, JUnit, coverage of the ledger."""
