"""What searching asks of a catalogue, answered from Milvus."""

from __future__ import annotations

from collections.abc import Iterable

from indexer.listing import Listing
from indexer.listing_writes import not_found
from indexer.milvus.meta import STRONG
from indexer.milvus.rows import listing_number, picture_number
from indexer.milvus.store import Store
from search.milvus_view import MilvusView


class MilvusCatalog:
    """Answers what is asked of `indexer.catalog.Catalog` while searching.

    Parameters
    ----------
    store : Store
        Where listings are.
    view : MilvusView
        Of the question: what it has met is not asked for again.
    secret : str
        What cursors are signed with.
    """

    def __init__(self, store: Store, view: MilvusView, secret: str) -> None:
        self._store, self._view, self._secret = store, view, secret

    def meta(self, key: str) -> str | None:
        """Return a kept value: the secret."""
        return self._secret if key == "secret" else None

    def field_types(self) -> dict[str, str]:
        """Return the recorded types of attributes."""
        return dict(self._view.fields.types)

    def listings(self, numbers: Iterable[int]) -> dict[int, tuple[Listing, tuple[str, ...]]]:
        """Return listings by number; unknown ones are left out."""
        found = self._view.documents(numbers)
        return {number: document.listing() for number, document in found.items()}

    def positions(self, pictures: Iterable[int]) -> dict[int, int]:
        """Return the place of each picture, by number, among its listing's pictures."""
        known = ((number, self._view.place(number)) for number in pictures)
        return {number: place for number, place in known if place is not None}

    def number_of(self, listing_id: str) -> int:
        """Return a listing's number, 0 where there is none of this id."""
        number = listing_number(listing_id)
        if self._view.listing(listing_id):
            known = self._view.documents([number])
        else:  # of a listing without a picture that could be used, no vector tells
            known = self._store.documents([number])
        return number if number in known and known[number].fields.id == listing_id else 0

    def pictures_of(self, listing: int) -> list[int]:
        """Return the numbers of a listing's pictures, in their order."""
        known = self._view.documents([listing])
        if listing not in known:
            return []
        document = known[listing]
        return [
            picture_number(document.fields.id, place)
            for place, one in enumerate(document.pictures)
            if one.done
        ]

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        """Return a listing and its pictures' thumbnail keys.

        Raises
        ------
        ListingNotFound
            If there is none of this id.
        """
        number = listing_number(listing_id)
        document = self._store.documents([number], STRONG).get(number)
        if document is None or document.fields.id != listing_id:
            raise not_found(listing_id)
        return document.listing()
