import Registry
import Testing

struct IndexLineTests {
    static let hash = String(repeating: "c0", count: 32)

    // B1
    static let plain =
        #"{"name":"Foo","vers":"1.0.0+b","deps":[],"cksum":"\#(hash)","features":{},"yanked":false}"#

    // B2, B5, B7, B8: every field that a line can have.
    static let full =
        #"{"name":"foo","vers":"2.0.0-rc.1","deps":["#
        + #"{"name":"json","req":"^1.0, <1.5","features":["a","b"],"optional":true,"default_features":false,"#
        + #""target":"cfg(all(unix, not(target_os = \"macos\")))","kind":"normal","#
        + #""registry":"https://github.com/rust-lang/crates.io-index","package":"serde_json"},"#
        + #"{"name":"tool","req":"=1","features":[],"optional":false,"default_features":true,"#
        + #""target":"x86_64-unknown-linux-gnu","kind":"build"},"#
        + #"{"name":"tool","req":"=1","features":[],"optional":false,"default_features":true,"#
        + #""target":null,"kind":"dev"}],"cksum":"\#(hash)","#
        + #""features":{"default":["std"],"std":[]},"features2":{"json":["dep:json"]},"yanked":true,"#
        + #""links":"foo","rust_version":"1.60","v":2,"pubtime":"2026-08-21T07:05:09Z"}"#

    @Test(arguments: [plain, full]) func `a line in our form comes back byte for byte`(line: String) throws {
        #expect(try IndexLine(parsing: line).json == line)
    }

    @Test func `the fields of a line are read`() throws {
        let line = try IndexLine(parsing: Self.full)
        #expect(line.name.spelling == "foo")
        #expect(line.version.description == "2.0.0-rc.1")
        #expect(line.checksum.description == Self.hash)
        #expect(line.isYanked)
        #expect(line.links == "foo")
        #expect(line.rustVersion?.description == "1.60")
        #expect(line.format == 2)
        #expect(line.allFeatures == ["default": ["std"], "std": [], "json": ["dep:json"]])
        #expect(line.dependencies[0].crate == "serde_json")
        #expect(line.dependencies[0].registry == IndexURL.cratesIO)
        #expect(line.dependencies.map(\.kind) == [.normal, .build, .dev])
    }

    @Test func `absent and null fields have cargo's meaning`() throws {
        let line = try IndexLine(
            parsing:
                #"{"name":"foo","vers":"1.0.0","cksum":"\#(Self.hash)","yanked":null,"links":null,"features2":null,"#
                + #""rust_version":null,"pubtime":null,"v":null,"later":{"a":[1]},"#
                + #""deps":[{"name":"bar","req":"1","target":null,"kind":null,"registry":null,"package":null}]}"#)
        #expect(
            line.json
                == #"{"name":"foo","vers":"1.0.0","deps":[{"name":"bar","req":"^1","features":[],"optional":false,"#
                + #""default_features":true,"target":null,"kind":"normal"}],"cksum":"\#(Self.hash)","features":{},"#
                + #""yanked":false}"#)
    }

    // B13
    @Test func `an unyanked line is the line before the yank`() throws {
        let line = try IndexLine(parsing: Self.plain)
        let yanked = line.with(yanked: true)
        #expect(yanked.json == Self.plain.replacing(#""yanked":false"#, with: #""yanked":true"#))
        #expect(yanked.with(yanked: false).json == Self.plain)
        #expect(try IndexLine(parsing: Self.full).with(yanked: true).json == Self.full)
    }

    @Test func `dependencies are sorted, the normal kind first`() throws {
        let kinds: [IndexDependency.Kind] = [.dev, .normal, .build]
        let requirement = try VersionRequirement("1")
        let dependencies = kinds.flatMap { kind in
            ["b", "a"].map { IndexDependency(name: $0, requirement: requirement, kind: kind) }
        }
        let checksum = try #require(Checksum(hex: Self.hash))
        let line = { (dependencies: [IndexDependency]) in
            IndexLine(
                name: try CrateName("foo"), version: try Version("1.0.0"), dependencies: dependencies,
                checksum: checksum)
        }
        let sorted = try line(dependencies)
        #expect(sorted.dependencies.map(\.name) == ["a", "a", "a", "b", "b", "b"])
        #expect(sorted.dependencies.prefix(3).map(\.kind) == [.normal, .build, .dev])
        #expect(try line(dependencies.reversed()).json == sorted.json)
    }

    @Test func `a line of a publish splits features and says format 2`() throws {
        let facts = ManifestFacts(
            name: try CrateName("foo"), version: try Version("1.0.0"), links: "z",
            rustVersion: try #require(RustVersion("1.70")), features: ["b": ["dep:x"], "a": []],
            dependencies: [IndexDependency(name: "x", requirement: try VersionRequirement("1"), isOptional: true)])
        let line = IndexLine(
            facts: facts, checksum: try #require(Checksum(hex: Self.hash)),
            pubtime: Pubtime(secondsSince1970: 1_787_295_909))
        #expect(
            line.json.hasSuffix(
                #""features":{"a":[]},"features2":{"b":["dep:x"]},"yanked":false,"links":"z","rust_version":"1.70","#
                    + #""v":2,"pubtime":"2026-08-21T07:05:09Z"}"#))
        #expect(try IndexLine(parsing: line.json) == line)
    }

    @Test func `a file of 200 versions with 100 features comes back`() throws {
        let features = (0..<100).map { #""f\#($0 + 100)":["f\#($0 / 2 + 100)"]"# }.joined(separator: ",")
        for number in 0..<200 {
            let line = Self.plain.replacing("1.0.0+b", with: "1.\(number).0")
                .replacing(#""features":{}"#, with: #""features":{\#(features)}"#)
            #expect(try IndexLine(parsing: Array(line.utf8)).json == line)
        }
    }
}
