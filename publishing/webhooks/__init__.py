"""Telling other programs what happens: `events` finds it in the tables, `deliver` sends it, `ends` are the receivers."""
