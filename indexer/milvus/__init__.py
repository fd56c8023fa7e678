"""Listings and vectors in Milvus (`--index milvus://HOST:PORT/COLLECTION`): the writing half.

`search.milvus` reads. pymilvus is imported in `connection` alone, and only once it is asked for.
"""
