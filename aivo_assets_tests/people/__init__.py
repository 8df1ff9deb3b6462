"""Tests of people: roster, access, names, audit, signing in."""
