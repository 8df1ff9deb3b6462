"""Where the lake's bytes are: a folder or an S3 store, behind one interface. No manifest is understood here."""
