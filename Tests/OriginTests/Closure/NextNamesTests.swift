import Registry
import Testing

@testable import Origin

struct NextNamesTests {
    @Test(arguments: [
        (["1.0.0", "1.2.0", "0.9.1", "0.9.0", "0.8.7"], ["1.2.0", "0.9.1"]),
        (["2.0.0-rc.1", "1.0.0"], ["1.0.0"]),
        (["0.1.0-a", "0.1.0-b"], ["0.1.0-b"]),
        (["0.0.1", "0.0.2", "0.0.3"], ["0.0.3", "0.0.2"]),
        (["1.0.0!", "0.9.0", "0.8.0", "0.7.0"], ["0.9.0", "0.8.0"]),
        (["1.0.0!"], []), ([], []),
    ])
    func `the newest release of each of the newest lines counts`(all: [String], chosen: [String]) throws {
        // `!` marks a yanked one.
        let versions = try all.map { text in
            (version: try Version(text.hasSuffix("!") ? String(text.dropLast()) : text), yanked: text.hasSuffix("!"))
        }
        #expect(NextNames.versions(among: versions).map(\.description) == chosen)
    }

    @Test func `what a resolver asks next is normal or build, not optional, here, and by the crate's name`() throws {
        let line = try IndexLine(
            parsing: """
                {"name":"a","vers":"1.0.0","cksum":"\(String(repeating: "0", count: 64))","features":{},"yanked":false,"deps":[
                \(dependency("normal")),\(dependency("Inflector")),\(dependency("built", #""kind":"build""#)),
                \(dependency("tested", #""kind":"dev""#)),\(dependency("maybe", #""optional":true"#)),
                \(dependency("renamed", #""package":"real_name""#)),\(dependency("windows", #""target":"cfg(windows)""#)),
                \(dependency("far", #""registry":"https://example.com/index""#))]}
                """.replacing("\n", with: ""))
        let next = NextNames(in: [line, line])
        #expect(next.certain == ["built", "inflector", "normal", "real_name", "windows"])
        #expect(next.likely.isEmpty && next.optional == ["maybe"])
    }

    @Test func `what default features switch on is likely, what else is optional, and each name has one class`() throws
    {
        let line = try IndexLine(
            parsing: """
                {"name":"a","vers":"1.0.0","cksum":"\(String(repeating: "0", count: 64))","yanked":false,
                "features":{"default":["std","two/x","weak?/x","implicit"],"std":["one","default"],"other":["four"]},
                "features2":{"one":["dep:first"]},"deps":[
                \(dependency("certain")),\(dependency("first", #""optional":true"#)),
                \(dependency("two", #""optional":true,"package":"second""#)),\(dependency("weak", #""optional":true"#)),
                \(dependency("implicit", #""optional":true"#)),\(dependency("four", #""optional":true"#)),
                \(dependency("certain", #""optional":true,"kind":"build""#))]}
                """.replacing("\n", with: ""))
        let next = NextNames(in: [line])
        #expect(next.certain == ["certain"])
        #expect(next.likely == ["first", "implicit", "second"])
        #expect(next.optional == ["four", "weak"])
        #expect(NextNames(in: []) == NextNames(in: []) && NextNames(in: []).certain.isEmpty)
    }

    private func dependency(_ name: String, _ more: String = #""kind":"normal""#) -> String {
        #"{"name":"\#(name)","req":"^1","features":[],"default_features":true,"# + more + "}"
    }
}
