"""An epoch of the released code as users run it: its step, and the test loss that it takes at every epoch."""

import peer
import released_step


class Step(released_step.Step):
    takes_test_loss = True


if __name__ == "__main__":
    peer.main(Step)
