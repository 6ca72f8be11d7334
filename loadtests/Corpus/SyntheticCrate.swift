import CrateFile
import Crypto
import Registry

/// One crate of a corpus: all its versions, made one after the other.
struct SyntheticCrate {
    private let size: CrateSize
    private let dependencies: [IndexDependency]
    private let prose: CorpusProse
    private let featureNames: FeatureNames

    /// - Parameter place: in the plan.
    init(_ place: Int, of plan: CorpusPlan) throws {
        size = plan.crates[place]
        dependencies = try plan.dependencies[place].map { other in
            IndexDependency(
                name: plan.crates[other].name.spelling,
                requirement: try IndexLineMaker.requirement(versions: plan.crates[other].versions))
        }
        var dice = CorpusDice(seed: ~plan.seed, stream: place)
        prose = CorpusProse(using: &dice)
        featureNames = FeatureNames(using: &dice)
    }

    struct Made {
        let line: IndexLine
        let crate: [UInt8]
    }

    /// - Parameter number: 0 is the oldest version.
    func version(_ number: Int) throws -> Made {
        let version = try IndexLineMaker.version(number)
        // Crates grow: the first half of a crate's versions lack a quarter of its dependencies.
        let isYoung = number < size.versions / 2
        let dependencies = Array(dependencies.prefix(isYoung ? (dependencies.count * 3 + 3) / 4 : dependencies.count))
        let isYanked = number % 40 == 39 && number < size.versions - 1
        let wanted = size.bytes * (number + 1) / size.versions - size.bytes * number / size.versions
        let bare = IndexLineMaker.line(
            size.name, version, dependencies, Self.noChecksum, features: [:], isYanked: isYanked)
        let features = IndexLineMaker.features(filling: wanted - bare.jsonBytes.count - 1, named: featureNames)
        let crate = try crate(version, dependencies, features)
        let line = IndexLineMaker.line(
            size.name, version, dependencies, Self.checksum(of: crate), features: features, isYanked: isYanked)
        return Made(line: line, crate: crate)
    }

    private static let noChecksum = checksum(of: [])

    private static func checksum(of bytes: [UInt8]) -> Checksum {
        guard let checksum = Checksum(bytes: SHA256.hash(data: bytes)) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return checksum
    }

    /// A real, tiny crate: cargo unpacks and builds it.
    private func crate(
        _ version: Version, _ dependencies: [IndexDependency], _ features: IndexLine.Features
    ) throws -> [UInt8] {
        // The fastest level: half a million of them are made.
        try CrateWriter.crate(root: "\(size.name.spelling)-\(version)", level: 1) { writer in
            try writer.add("Cargo.toml", manifest(version, dependencies, features))
            try writer.add("src/lib.rs", "//! Made by longshore-bench.\n")
        }
    }

    private func manifest(
        _ version: Version, _ dependencies: [IndexDependency], _ features: IndexLine.Features
    ) -> String {
        var lines = [
            "[package]", "edition = \"2021\"", "name = \"\(size.name.spelling)\"", "version = \"\(version)\"",
            "description = \"\(prose.description)\"", "license = \"MIT\"",
            "keywords = [\(prose.keywords.map { "\"\($0)\"" }.joined(separator: ", "))]",
            "", "[lib]", "path = \"src/lib.rs\"", "", "[dependencies]",
        ]
        lines += dependencies.map { "\($0.name) = \"\($0.requirement)\"" }
        lines += ["", "[features]"] + features.keys.sorted().map { "\($0) = []" } + [""]
        return lines.joined(separator: "\n")
    }
}

/// What a crate says of itself, out of words that are as unequally common as those of real descriptions.
struct CorpusProse {
    static let words = """
        rust library for the a of simple fast async api client parser web server data tools macro wrapper bindings \
        types http json command line interface file system memory string text network implementation support \
        generic safe small utility framework crypto hash random number math vector matrix image audio video game \
        engine graphics window terminal color log trace error config environment test mock bench build cargo plugin \
        compiler syntax tree graph list map set queue stack channel thread lock atomic time date calendar timer clock \
        database sql query key value store cache index search tokenizer grammar lexer markdown html xml yaml toml csv \
        binary encoding decoding compression archive stream buffer socket protocol message event state machine \
        embedded hardware driver sensor usb serial bluetooth device kernel linux windows mac android wasm browser \
        javascript python ruby java ffi binding unsafe pointer allocator arena pool actor future executor runtime \
        scheduler task job worker cloud aws azure storage object bucket container docker kubernetes blockchain wallet \
        token contract solana ethereum bitcoin signature cipher password secret vault identity oauth jwt session \
        template render widget layout font glyph shader texture mesh physics simulation genetic neural tensor \
        statistics geometry polygon map tile weather music midi synth chess puzzle bot chat mail telegram discord
        """.split(separator: " ").map(String.init)
    private static let draw = WeightedDraw(words.indices.map { 1_000_000 / ($0 + 1) })

    let description: String
    /// Five at most, none twice.
    let keywords: [String]

    init(using dice: inout CorpusDice) {
        func pick(_ dice: inout CorpusDice) -> String {
            Self.words[Self.draw.draw(below: Self.words.count, using: &dice) ?? 0]
        }
        let length = Int.random(in: 4...16, using: &dice)
        description = (0..<length).map { _ in pick(&dice) }.joined(separator: " ")
        keywords = Set((0..<Int.random(in: 0...5, using: &dice)).map { _ in pick(&dice) }).sorted()
    }
}
