import Grokking
import Sweeps
import Testing

@Suite struct VersionWordsTests {
  @Test func `a coordinator's own versions are read back from the words by which it refuses others`() {
    #expect(VersionWords.protocolVersion(in: VersionWords.otherProtocol(2)) == WireProtocol.version)
    #expect(VersionWords.semantics(in: VersionWords.otherSemantics(0)) == Engine.semanticsVersion)
    #expect(VersionWords.semantics(in: VersionWords.otherSemantics(-1)) == Engine.semanticsVersion)
    #expect(VersionWords.protocolVersion(in: "its key was revoked") == nil)
    #expect(VersionWords.semantics(in: VersionWords.otherProtocol(2)) == nil)
  }
}
