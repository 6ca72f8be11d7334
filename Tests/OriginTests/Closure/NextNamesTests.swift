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
        #expect(NextNames.names(in: [line, line]) == ["built", "inflector", "normal", "real_name", "windows"])
    }

    private func dependency(_ name: String, _ more: String = #""kind":"normal""#) -> String {
        #"{"name":"\#(name)","req":"^1","features":[],"default_features":true,"# + more + "}"
    }
}
