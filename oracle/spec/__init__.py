"""What is asked: the experiment file, validated."""
