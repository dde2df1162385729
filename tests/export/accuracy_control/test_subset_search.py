from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export.accuracy_control.subset_search import fewest

LAYERS = tuple(f"layer{number}" for number in range(12))


@given(needed=st.sets(st.sampled_from(LAYERS)), ranked=st.permutations(LAYERS))
def test_where_more_is_never_worse_just_what_is_needed(needed, ranked):
    found = fewest(LAYERS, lambda: ranked, lambda kept: needed <= set(kept))
    assert set(found) == needed
    assert list(found) == [layer for layer in ranked if layer in needed]


@given(st.data(), st.permutations(LAYERS))
def test_what_it_gives_was_asked_and_is_enough(data, ranked):
    answers = {}

    def is_enough(kept):
        assert frozenset(kept) not in answers, "each file is made once"
        answers[frozenset(kept)] = data.draw(st.booleans())
        return answers[frozenset(kept)]

    found = fewest(LAYERS, lambda: ranked, is_enough)
    if found is None:
        assert not answers[frozenset(LAYERS)]
    else:
        assert answers[frozenset(found)]


def test_few_questions_and_no_ranking_where_none_is_needed():
    asked = []
    many = [str(number) for number in range(1000)]
    assert fewest(many, lambda: many, lambda kept: asked.append(kept) or "2" in kept) == ("2",)
    assert len(asked) < 20
    assert fewest(many, None, lambda kept: True) == ()
    assert fewest(many, None, lambda kept: False) is None


BYTES = dict(zip(LAYERS, (64, 3, 90, 12, 500, 7, 33, 250, 5, 120, 2, 41), strict=True))


def total(kept):
    return sum(BYTES[one] for one in kept)


def test_accuracy_that_is_not_monotonic_does_not_end_the_search_early():
    """An early layer in float harms unless a later one is too, and one of two will do."""
    asked = []

    def is_enough(kept):
        asked.append(kept)
        some = set(kept)
        if "layer0" in some and "layer11" not in some:
            return False
        return "layer2" in some and ("layer4" in some or {"layer3", "layer5"} <= some)

    found = fewest(LAYERS, lambda: LAYERS, is_enough, total)
    assert set(found) == {"layer2", "layer3", "layer5"}
    assert total(found) == 109
    assert len(asked) == len(set(asked)) <= 60


def test_what_cannot_be_put_back_alone_is_put_back_in_pairs():
    def is_enough(kept):
        some = set(kept)
        return "layer9" in some and ("layer4" in some) == ("layer7" in some)

    ranking = ("layer9", "layer4", "layer7", *(one for one in LAYERS if one not in
               {"layer9", "layer4", "layer7"}))  # fmt: skip
    assert fewest(LAYERS, lambda: ranking, is_enough, total) == ("layer9",)


@given(
    good=st.lists(st.sets(st.sampled_from(LAYERS), min_size=1), min_size=1, max_size=4),
    ranked=st.permutations(LAYERS),
    most=st.integers(10, 40),
)
def test_what_is_found_is_enough_within_the_number_of_files(good, ranked, most):
    asked = []

    def is_enough(kept):
        asked.append(kept)
        return any(some <= set(kept) for some in good)

    found = fewest(LAYERS, lambda: ranked, is_enough, total, most)
    assert any(some <= set(found) for some in good)
    assert len(asked) <= most
    # With one that is needed, and no more than one way, it is found.
    if len(good) == 1 and most == 40:
        assert set(found) == good[0]
