"""How many channels go, and which: candidates, requests, allocation."""
