import CrateFile
import Registry
import TestSupport
import Testing

/// Random damage to good input; every failure names its seed, so that it can be run again.
struct MutationTests {
    @Test(arguments: 1...8)
    func `a damaged crate is accepted or refused, and nothing else`(seed: UInt64) throws {
        let good = try MadeCrate("bar", "1.0.0").file("README.md", String(repeating: "bar ", count: 99)).crate()
        let inspector = CrateInspector(name: try CrateName("bar"), version: try Version("1.0.0"))
        try damage(good, seed: seed) { _ = try inspector.inspect($0) }
    }

    /// The gzip around it is made anew, or its checksum would hide every other fault.
    @Test(arguments: 1...8)
    func `a damaged tar archive is accepted or refused, and nothing else`(seed: UInt64) throws {
        let good = try Self.archive()
        let inspector = CrateInspector(name: try CrateName("bar"), version: try Version("1.0.0"))
        try damage(good, seed: seed) { _ = try inspector.inspect(Gzip.compress($0, level: 1)) }
    }

    @Test(arguments: 1...8)
    func `a damaged manifest is read or refused, and nothing else`(seed: UInt64) throws {
        let good =
            MadeCrate("bar", "1.0.0").needs("foo", "^1", isOptional: true).feature("f", ["foo?/x"])
            .keywords(["a", "b"]).manifest + "\n[a.b]\nc.d = {e = [1, 2.0, 1979-05-27], f = '''x'''}\n[[g.h]]\n"
        try damage(Array(good.utf8), seed: seed) { bytes in
            do {
                _ = try ManifestReader.read(String(decoding: bytes, as: UTF8.self))
            } catch is ManifestReader.Invalid {}
        }
    }

    private func damage(_ good: [UInt8], seed: UInt64, _ check: ([UInt8]) throws -> Void) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
            do {
                try check(bytes)
            } catch is Objection {
            } catch {
                Issue.record("seed \(seed), round \(round): \(error)")
            }
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return bytes = [0] }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...600, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 4: bytes.removeSubrange(place...)
        default: bytes[place] = [0, 0x0A, 0x20, 0x22, 0x27, 0x5B, 0x7B, 0x80, 0xFF].randomElement(using: &random) ?? 0
        }
    }

    /// One entry of each sort that the reader knows.
    private static func archive() throws -> [UInt8] {
        let crate = try CrateWriter.crate(root: "bar-1.0.0", level: 0) { writer in
            try writer.add("Cargo.toml", MadeCrate("bar", "1.0.0").manifest)
            try writer.add(RawEntry("bar-1.0.0/" + String(repeating: "a", count: 120), body: [1]))
            try writer.add(.pax([("path", "bar-1.0.0/pax"), ("size", "2")]))
            try writer.add(RawEntry("bar-1.0.0/short", body: [1, 2]))
            try writer.add(RawEntry("bar-1.0.0/d/", type: "5"))
        }
        return try unpacked(BytesSource(crate))
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
private struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
