import Kernels
import Testing

@Suite struct PeakArithmeticTests {
  @Test(arguments: KernelPath.available) func `the peak's multiply-adds are all done`(_ path: KernelPath) {
    let peak = PeakArithmetic(path)
    let starts = peak.sums
    let done = peak.run(rounds: 3)
    // A quarter was added three times to each of the chains that this path uses; the others are as they were.
    let used = done / 3
    #expect(used >= 96 && used % 16 == 0)
    for (place, sum) in peak.sums.enumerated() { #expect(sum == starts[place] + (place < used ? 0.75 : 0)) }
    #expect(peak.run(rounds: 1000) == 1000 * used)
    #expect(peak.sums[0] == 250.75)
  }
}
