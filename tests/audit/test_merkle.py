"""The Merkle tree, against the published test vectors of Certificate Transparency, and every path of every tree."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import inclusion_path, leaf_hash, root_of_path, tree_root

pytestmark = pytest.mark.any_engine

# The inputs and roots of the reference implementation's tests (certificate-transparency, merkle_tree_test.cc).
INPUTS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    assert tree_root([leaf_hash(data) for data in INPUTS[:size]]).hex() == ROOTS[size - 1]


def test_the_empty_tree() -> None:
    assert tree_root([]) == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 34))
def test_each_path_makes_the_root_and_no_other_does(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root = tree_root(leaves)
    for index in range(size):
        path = inclusion_path(leaves, index)
        assert root_of_path(leaves[index], index=index, size=size, path=path) == root
        for other in range(size):
            if other != index:
                assert root_of_path(leaves[other], index=index, size=size, path=path) != root
                assert root_of_path(leaves[index], index=other, size=size, path=path) != root
        assert root_of_path(leaves[index], index=index, size=size, path=[*path, root]) is None
        if path:
            assert root_of_path(leaves[index], index=index, size=size, path=path[:-1]) is None
    assert root_of_path(leaves[0], index=size, size=size, path=[]) is None


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_any_changed_leaf_changes_the_root(contents: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(contents) - 1))
    changed = [*contents]
    changed[index] += b"x"
    assert tree_root([leaf_hash(content) for content in contents]) != tree_root(
        [leaf_hash(content) for content in changed]
    )
