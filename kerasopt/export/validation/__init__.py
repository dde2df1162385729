"""Is the file what the model is, and is it of use?"""
