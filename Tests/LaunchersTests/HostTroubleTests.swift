import Launchers
import Testing

/// ssh's words as OpenSSH 9.2 writes them.
@Suite struct HostTroubleTests {
  @Test(arguments: [
    ("ssh: connect to host ada port 22: Connection refused\r\n", "unreachable"),
    ("ssh: connect to host ada port 22: Connection timed out", "unreachable"),
    ("ssh: connect to host ada port 22: No route to host", "unreachable"),
    ("ssh: Could not resolve hostname ada: Name or service not known", "unreachable"),
    (
      "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 10.0.0.1 port 22",
      "unreachable"
    ),
    ("Connection timed out during banner exchange\r\nConnection to 10.0.0.1 port 22 timed out", "unreachable"),
    (
      "Warning: Permanently added 'ada' (ED25519) to the list of known hosts.\r\nme@ada: Permission denied (publickey).",
      "authentication_refused"
    ),
    (
      "No ED25519 host key is known for ada and you have requested strict checking.\r\nHost key verification failed.",
      "unknown_host_key"
    ),
    (
      "mux_client_forward: forwarding request failed: remote port forwarding failed for listen path /x/c\r\nmuxclient: master forward request failed",
      "no_tunnel"
    ),
    ("ssh: something new", "other"),
  ]) func `ssh's words tell what to do`(words: String, kind: String) {
    let trouble = HostTrouble(ofSSH: words, 60)
    #expect(trouble.kind == kind, "\(trouble)")
    #expect(!trouble.description.contains("\r") && !trouble.description.contains("Permanently"), "\(trouble)")
  }

  @Test func `no answer at all is a reason too`() {
    #expect(HostTrouble(ofSSH: nil, 60).description == "unreachable: no answer within 60 s")
  }

  @Test func `a version that must not mix is told by what differs`() {
    let ours = ProgramVersion(build: "0.2.0", protocolVersion: 5, engineSemantics: 2)
    #expect(ProgramVersion(build: "0.1.9", protocolVersion: 5, engineSemantics: 2).difference(from: ours) == nil)
    #expect(
      ProgramVersion(build: "0.1.0", protocolVersion: 4, engineSemantics: 1).difference(from: ours)
        == "groksweep 0.1.0 has protocol 4 instead of 5 and engine semantics 1 instead of 2")
  }
}
