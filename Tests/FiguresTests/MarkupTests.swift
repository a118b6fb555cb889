import Figures
import Testing

@Suite struct MarkupTests {
  @Test func `text from a sweep file cannot open a tag, end an attribute or break the document`() {
    #expect(
      Markup.escaped("<b onload='x'>\"&\"</b>")
        == "&lt;b onload=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/b&gt;")
    #expect(Markup.escaped("a\u{0}b\u{1B}c\td\u{FFFF}e") == "a\u{FFFD}b\u{FFFD}c\td\u{FFFD}e")
    #expect(Markup.escaped("λ = 0.3, “ß” 🙂") == "λ = 0.3, “ß” 🙂")
  }
}
