import Testing
import ZeroMQ

@Suite struct CurveKeysTests {
  @Test func `a new pair is one, and differs from every other`() throws {
    let (first, second) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
    #expect(first != second)
    #expect(CurveKeyPair(publicKey: first.publicKey, secretKey: first.secretKey) == first)
    #expect(CurveKeyPair(publicKey: first.publicKey, secretKey: second.secretKey) == nil)
    #expect(CurveKey(first.publicKey.text) == first.publicKey)
  }

  @Test(
    arguments: [
      "", "short", String(repeating: "a", count: 39), String(repeating: "a", count: 41),
      String(repeating: "é", count: 20), String(repeating: "~", count: 40), String(repeating: "\u{0}", count: 40),
      // The greatest digits are more than 32 bytes can hold.
      String(repeating: "#", count: 40),
    ])
  func `what is no key's text is no key`(text: String) {
    #expect(CurveKey(text) == nil)
    #expect(CurveSecret(text) == nil)
  }

  @Test func `printing a key shows its beginning, and a secret one nothing`() throws {
    let pair = try CurveKeyPair.generate()
    #expect("\(pair.publicKey)" == pair.publicKey.text.prefix(8) + "…")
    #expect("\(pair.secretKey)" == "a secret key")
    #expect("\(pair)".contains(pair.secretKey.secretText) == false)
  }
}
