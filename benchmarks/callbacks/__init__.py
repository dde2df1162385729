"""What the callbacks cost a step."""
