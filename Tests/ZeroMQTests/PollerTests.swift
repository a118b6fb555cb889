import Foundation
import Testing
import ZeroMQ

@Suite struct PollerTests {
  @Test func `another thread wakes a poll that would wait for ever`() throws {
    let waker = try Waker()
    let thread = Thread { waker.wake() }
    thread.start()
    try Poller.wait([], waker: waker, timeout: nil)
  }

  @Test func `wake-ups before the wait count once and are used up`() throws {
    let waker = try Waker()
    waker.wake()
    waker.wake()
    try Poller.wait([], waker: waker, timeout: nil)
    let start = ContinuousClock.now
    try Poller.wait([], waker: waker, timeout: .milliseconds(20))
    #expect(ContinuousClock.now - start >= .milliseconds(20))
  }

  @Test func `a wait ends no earlier than its deadline and a passed deadline waits not at all`() throws {
    let start = ContinuousClock.now
    try Poller.wait([], timeout: .nanoseconds(1_500_001))
    #expect(ContinuousClock.now - start >= .nanoseconds(1_500_001))
    try Poller.wait([], timeout: .seconds(-3))
  }

  @Test func `a signal ends the wait without an error`() throws {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(SIGUSR2, &action, nil)
    // The threads that tests run on block signals.
    var (wanted, before) = (sigset_t(), sigset_t())
    sigemptyset(&wanted)
    sigaddset(&wanted, SIGUSR2)
    pthread_sigmask(SIG_UNBLOCK, &wanted, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let waiting = pthread_self()
    let waker = try Waker()
    let thread = Thread {
      // Until the wait is over, so that one of them arrives during it; not so fast that the waiting thread only ever
      // runs its signal handler.
      while !Thread.current.isCancelled {
        pthread_kill(waiting, SIGUSR2)
        try? Poller.wait([], timeout: .milliseconds(1))
      }
    }
    thread.start()
    try Poller.wait([], waker: waker, timeout: .seconds(60))
    thread.cancel()
    while !thread.isFinished { sched_yield() }
  }
}
