from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export.fewest import fewest

LAYERS = [f"layer{number}" for number in range(12)]


@given(needed=st.sets(st.sampled_from(LAYERS)), ranked=st.permutations(LAYERS))
def test_where_more_is_never_worse_just_what_is_needed(needed, ranked):
    found = fewest(ranked, lambda kept: needed <= set(kept))
    assert set(found) == needed
    assert list(found) == [layer for layer in ranked if layer in needed]


@given(st.data(), st.permutations(LAYERS))
def test_what_it_gives_was_asked_and_is_enough(data, ranked):
    answers = {}

    def is_enough(kept):
        assert list(kept) == [layer for layer in ranked if layer in kept]
        assert kept not in answers, "each file is made once"
        answers[kept] = data.draw(st.booleans())
        return answers[kept]

    found = fewest(ranked, is_enough)
    if found is None:
        assert not answers[tuple(ranked)]
    else:
        assert answers[found]


def test_few_questions():
    asked = []
    many = [str(number) for number in range(1000)]
    assert fewest(many, lambda kept: asked.append(kept) or "2" in kept) == ("2",)
    assert len(asked) < 20
