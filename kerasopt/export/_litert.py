"""Where exports lean on LiteRT's insides: every private name of LiteRT stands here.

`tests/export/test_private_names.py` notices when one of them goes away.
"""

from typing import Any


def table_of(root: Any) -> Any:
    """Give the flatbuffer table under an object of LiteRT's generated schema.

    Private: the generated classes have no public way to the position of a field, which says where
    in the file the field's data begin.
    """
    return root._tab
