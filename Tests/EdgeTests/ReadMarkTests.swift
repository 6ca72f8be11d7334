import EdgeLedger
import Registry
import Testing

@testable import Edge

/// What stands in the journal, and what is read out of it.
struct ReadMarkTests {
    private static let path = "main/crates/foo/1.0.0/\(String(repeating: "ab", count: 32)).crate"

    /// A record of a download, byte by byte as `ReadMark` describes it.
    private static func record(_ flag: UInt8, _ address: [UInt8], subject: String, path: String = "/" + path) -> [UInt8]
    {
        var record: [UInt8] = [2, 0, UInt8(subject.utf8.count), flag, 0, 0, 0, 0]
        record += bytes(1_764_028_800, 703)
        record += address
        record += Array(subject.utf8)
        record += Array(path.utf8)
        return record
    }

    private static func told(_ record: [UInt8]) -> [String?]? {
        var tally = ReadTally()
        record.withUnsafeBytes { tally.add($0) }
        guard let pull = tally.rows().pulls.first else { return nil }
        return [pull.repository, pull.crate, pull.version, pull.subject, "\(pull.bytes)", pull.address]
    }

    /// As the journal keeps it: two numbers of this machine.
    private static func bytes(_ high: UInt64, _ low: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in [high, low] { bytes += withUnsafeBytes(of: number) { Array($0) } }
        return bytes
    }

    @Test func `a record tells from where; one of before there were addresses tells all the rest`() {
        let foo: [String?] = ["main", "foo", "1.0.0", "7", "703"]
        #expect(Self.told(Self.record(0, [], subject: "7")) == foo + [nil])
        let (four, six) = (Self.bytes(0, 0xffff_c000_0209), Self.bytes(0x2001_0db8 << 32, 9))
        #expect(Self.told(Self.record(1, four, subject: "7")) == foo + ["192.0.2.9"])
        #expect(Self.told(Self.record(1, six, subject: "7")) == foo + ["2001:db8::9"])
        #expect(Self.told(Self.record(1, six, subject: ""))?[3] == nil)
    }

    @Test func `what no edge has written is strange, and nothing is read past its end`() {
        let address = [UInt8](repeating: 1, count: 16)
        for record in [
            Self.record(2, address, subject: "7"), Self.record(1, [], subject: "", path: ""),
            Self.record(1, address, subject: "", path: ""), Self.record(1, Array(address[..<8]), subject: "", path: ""),
            Array(Self.record(1, address, subject: "7")[..<30]), [],
        ] {
            var tally = ReadTally()
            record.withUnsafeBytes { tally.add($0) }
            let pulls = tally.rows().pulls
            #expect(tally.strange == 1 && pulls.isEmpty, "\(record)")
        }
    }
}
