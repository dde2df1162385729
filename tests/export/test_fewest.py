from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export.fewest import fewest

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
