import Registry
import Testing

/// Each of these makes some cargo drop the version without a word (B10 and the table "How forgiving the parser is").
struct IndexLineRefusalTests {
    /// A piece of the good line and what stands there instead.
    @Test(arguments: [
        (#""name":"foo""#, #""name":"1foo""#), (#""name":"foo""#, #""nam":"foo""#), (#""name":"foo""#, #""name":null"#),
        (#""vers":"1.0.0""#, #""vers":"1.0""#), (#""vers":"1.0.0""#, #""vers":1"#),
        (#""cksum":"c0"#, #""cksum":"C0"#), (#""cksum":"c0"#, #""cksum":"c"#),
        (#""features":{}"#, #""features":null"#), (#""features":{}"#, #""features":[]"#),
        (#""features":{}"#, #""features":{"a":null}"#), (#""features":{}"#, #""features":{"a":[1]}"#),
        (#""features":{}"#, #""features":{"a":[],"a":[]}"#), (#""features":{}"#, #""features":{},"features2":[]"#),
        (#""yanked":false"#, #""yanked":"no""#), (#""yanked":false"#, #""yanked":false,"yanked":true"#),
        (#""yanked":false"#, #""rust_version":">=1.60""#), (#""yanked":false"#, #""rust_version":"1.60-nightly""#),
        (#""yanked":false"#, #""rust_version":"01.60""#), (#""yanked":false"#, #""rust_version":1.6"#),
        (#""yanked":false"#, #""links":7"#), (#""yanked":false"#, #""v":"2""#), (#""yanked":false"#, #""v":3"#),
        (#""yanked":false"#, #""v":-1"#), (#""yanked":false"#, #""v":1.0"#), (#""yanked":false"#, #""v":99999999999"#),
        (#""yanked":false"#, #""pubtime":"2026-08-21T07:05:09.5Z""#),
        (#""yanked":false"#, #""pubtime":"2026-08-21 07:05:09""#), (#""yanked":false"#, #""pubtime":1787295909"#),
        (#""deps":["#, #""dep":["#), (#""deps":["#, #""deps":[null,"#), (#""deps":["#, #""deps":["a","#),
        (#""req":"^1""#, #""req":"broken""#), (#""req":"^1""#, #""req":null"#), (#""req":"^1""#, #""r":"^1""#),
        (#""name":"bar""#, #""name":"b r""#), (#""name":"bar""#, #""name":"bar","package":"_real""#),
        (#""name":"bar""#, #""name":"_bar""#), (#""name":"bar""#, #""name":"bar","package":"""#),
        (#""optional":false"#, #""optional":null"#), (#""optional":false"#, #""optional":true,"kind":"dev""#),
        (#""optional":false"#, #""default_features":null"#), (#""optional":false"#, #""features":null"#),
        (#""optional":false"#, #""target":"cfg(""#), (#""optional":false"#, #""target":"cfg(not(a, b))""#),
        (#""optional":false"#, #""target":"a b""#), (#""optional":false"#, #""target":"""#),
        (#""optional":false"#, #""registry":"somewhere""#), (#""optional":false"#, #""registry":"https://""#),
        (#""optional":false"#, #""artifact":["bin"]"#), (#""optional":false"#, #""kind":7"#),
    ])
    func `a line with a bad field is refused`(piece: String, instead: String) throws {
        let good =
            #"{"name":"foo","vers":"1.0.0","deps":[{"name":"bar","req":"^1","optional":false}],"cksum":"c0"#
            + String(repeating: "c0", count: 31) + #"","features":{},"yanked":false}"#
        #expect(throws: Never.self) { try IndexLine(parsing: good) }
        let bad = good.replacing(piece, with: instead, maxReplacements: 1)
        try #require(bad != good)
        #expect(throws: IndexLine.Invalid.self) { try IndexLine(parsing: bad) }
    }

    @Test(arguments: ["", "[]", "null", "<html>", "{}", "\u{FEFF}\(IndexLineTests.plain)", "\(IndexLineTests.plain),"])
    func `what is no line is refused`(text: String) {
        #expect(throws: IndexLine.Invalid.self) { try IndexLine(parsing: text) }
    }

    @Test func `white space around a line does no harm`() throws {
        #expect(try IndexLine(parsing: "  \(IndexLineTests.plain) \r\n").json == IndexLineTests.plain)
    }

    @Test func `the refusal names the field`() {
        let line = IndexLineTests.full.replacing("=1", with: "one", maxReplacements: 1)
        #expect(throws: IndexLine.Invalid.field("req of dependency 2", "cannot be `one`")) {
            try IndexLine(parsing: line)
        }
    }

    @Test(arguments: [
        "unix", "cfg(unix)", "cfg(any())", "cfg(all(a, b,))", "cfg(not(windows))", "cfg( any( a , b = \"c\" ) )",
        "cfg(target_feature = \"\")", "cfg(r#true)", "wasm32-wasi", "thumbv7em-none-eabihf", "my.target_1", "cfg(true)",
        "cfg(all)", "cfg(feature=\"a)b\")",
    ])
    func `every target that cargo reads is taken`(target: String) throws {
        let isPlausible = target != "cfg(all)"
        let text = target.replacing("\"", with: "\\\"")
        let line = IndexLineTests.full.replacing("x86_64-unknown-linux-gnu", with: text)
        if isPlausible {
            #expect(try IndexLine(parsing: line).json == line)
        } else {
            #expect(throws: IndexLine.Invalid.self) { try IndexLine(parsing: line) }
        }
    }

    @Test func `a renamed dependency may begin with an underscore`() throws {
        let line = IndexLineTests.full.replacing(#""name":"json""#, with: #""name":"_json""#)
        #expect(try IndexLine(parsing: line).json == line)
    }
}
