"""A study: its file, the pipeline that runs it, its results and where each number came from."""
