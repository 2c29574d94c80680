import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]


def test_x(connected):
    from penstock.engines import engine_of

    with engine_of("ray") as e:
        assert list(e.map(lambda x: x * x, range(5))) == [0, 1, 4, 9, 16]
