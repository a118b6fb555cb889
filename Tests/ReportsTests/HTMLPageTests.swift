// What plain text becomes on a page.

import Reports
import Testing

@Suite struct HTMLPageTests {
  @Test func `prose has commands as code, powers of ten, and units that stay with their numbers`() {
    #expect(HTMLPage.prose("run `a <b>` now") == "run <code>a &lt;b&gt;</code> now")
    #expect(HTMLPage.prose("one ` alone & more") == "one ` alone &amp; more")
    #expect(HTMLPage.prose("98.6 % of all") == "98.6\u{A0}% of all")
    #expect(HTMLPage.prose("train 9.17e-08, test 1e12 nats.") == "train 9.17×10⁻⁸, test 1×10¹² nats.")
  }

  @Test func `what only looks like a power of ten stays as it is`() {
    for text in ["point 123456789e12", "5e1234567890", "learning_rate=1e-05", "node1e-07", "1e-07x", "run-1e-07"] {
      #expect(HTMLPage.prose(text) == text)
    }
    #expect(HTMLPage.prose("`--set lr=1e-05` and `x 1e-05`") == "<code>--set lr=1e-05</code> and <code>x 1e-05</code>")
  }
}
