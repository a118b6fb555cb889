import Kernels
import Testing

@Suite struct KernelPathTests {
  @Test func `the best path of this machine is chosen, and any that it can run by name`() throws {
    #expect(try KernelPath.choose() == KernelPath.available.first)
    for path in KernelPath.available { #expect(try KernelPath.choose(named: path.rawValue) == path) }
  }

  @Test func `an unknown name is refused with the names that would do`() throws {
    let error = #expect(throws: KernelPathError.self) { try KernelPath.choose(named: "sse9") }
    let text = try #require(error).description
    #expect(text.contains("\"sse9\""))
    for path in KernelPath.available { #expect(text.contains(path.rawValue)) }
  }

  @Test func `kernels of another architecture are refused`() throws {
    let lacking = try #require(KernelPath.allCases.first { !$0.isAvailable })
    let error = #expect(throws: KernelPathError.self) { try KernelPath.choose(named: lacking.rawValue) }
    #expect(try #require(error).description.contains("cannot run the \(lacking.rawValue) kernels"))
  }
}
