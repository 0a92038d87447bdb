"""The experiment file: what a user asks for, validated."""
