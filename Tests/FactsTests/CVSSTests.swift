import CrateFile
import Facts
import Foundation
import TestSupport
import Testing

struct CVSSTests {
    @Test(arguments: [
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", "5.9", Severity.medium),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8", .critical),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", .critical),
        ("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:C/C:N/I:L/A:H", "7.9", .high),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L", "1.6", .low),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:N/A:N", "5.0", .medium),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0", .none),
        ("CVSS:3.1/A:H/C:H/I:H/S:U/UI:N/PR:N/AC:L/AV:N/E:U/CR:L/MAV:P", "9.8", .critical),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0", .critical),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3", .critical),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", "6.9", .medium),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N/E:P", "5.5", .medium),
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.3", .high),
        ("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N/E:U", "1.7", .low),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", "0.0", .none),
        ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:A/VC:L/VI:N/VA:N/SC:H/SI:N/SA:N", "4.1", .medium),
        ("CVSS:4.0/AV:P/AC:H/AT:N/PR:N/UI:P/VC:L/VI:H/VA:N/SC:H/SI:N/SA:L", "5.7", .medium),
        ("CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:P/VC:N/VI:N/VA:H/SC:H/SI:H/SA:N", "6.9", .medium),
        ("CVSS:4.0/AV:N/AC:H/AT:P/PR:H/UI:P/VC:H/VI:L/VA:N/SC:N/SI:L/SA:H", "6.9", .medium),
        ("CVSS:4.0/AV:P/AC:H/AT:P/PR:L/UI:N/VC:N/VI:N/VA:N/SC:H/SI:L/SA:L/MAV:P/MVA:H/MSI:X/MSA:N/S:X", "5.7", .medium),
        (
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:N/VA:H/SC:H/SI:H/SA:N/CR:M/IR:X/MAC:H/MUI:N/MSI:X/S:N", "7.1",
            .high
        ),
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:H/UI:N/VC:H/VI:N/VA:L/SC:N/SI:H/SA:H", "6.9", .medium),
        ("CVSS:4.0/AV:N/AC:H/AT:N/PR:N/UI:A/VC:L/VI:L/VA:N/SC:H/SI:N/SA:N", "4.6", .medium),
        ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:N/VI:L/VA:H/SC:L/SI:N/SA:H", "8.3", .high),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:P/VC:H/VI:N/VA:N/SC:L/SI:H/SA:L", "7.0", .high),
        ("CVSS:3.1/AV:P/AC:H/PR:N/UI:R/S:C/C:N/I:H/A:N", "4.8", .medium),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:N/I:N/A:N", "0.0", .none),
        ("CVSS:3.1/AV:A/AC:H/PR:H/UI:R/S:U/C:L/I:H/A:H", "5.9", .medium),
        ("CVSS:3.0/AV:P/AC:L/PR:L/UI:R/S:U/C:N/I:H/A:H", "5.7", .medium),
        ("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:C/C:H/I:L/A:H", "7.2", .high),
        ("CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:C/C:H/I:H/A:N", "6.9", .medium),
        ("CVSS:3.0/AV:L/AC:L/PR:H/UI:R/S:U/C:H/I:L/A:L", "5.3", .medium),
        ("CVSS:3.1/AV:A/AC:H/PR:H/UI:R/S:U/C:N/I:H/A:H", "5.6", .medium),
    ])
    func `a vector has the score of its specification`(text: String, score: String, severity: Severity) throws {
        let vector = try CVSSVector(text)
        #expect(vector.score.description == score)
        #expect(vector.severity == severity)
    }

    @Test(arguments: [
        ("", CVSSVector.Invalid.Reason.unknownVersion), ("AV:N/AC:L", .unknownVersion),
        ("CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P", .unknownVersion),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", .missing("A")),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H", .repeated("A")),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", .unknownValue("A:X")),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/ZZ:N", .unknownMetric("ZZ:N")),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", .unknownMetric("")),
        ("CVSS:3.1/av:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", .unknownMetric("av:N")),
        ("CVSS:4.0/AC:L/AV:N/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", .misplaced("AV")),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:S/SA:H", .unknownValue("SI:S")),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/U:C", .unknownValue("U:C")),
    ])
    func `a vector that is not exact is refused`(text: String, reason: CVSSVector.Invalid.Reason) {
        #expect {
            try CVSSVector(text)
        } throws: { error in
            (error as? CVSSVector.Invalid)?.reason == reason
        }
    }

    /// Every vector of the advisory database, with the scores that the usual tools give.
    @Test(.enabled(if: Corpus.isHere, "needs the shared data: see LONGSHORE_CORPUS in README.md"))
    func `all vectors of the advisory database have their scores`() throws {
        let rows = try Oracle.rows("cvss-oracle.tsv.gz")
        #expect(rows.count > 200)
        for row in rows {
            let vector = try CVSSVector(row[1])
            #expect(vector.score.description == row[2], "\(row[0]) \(row[1])")
            #expect(vector.severity.rawValue == row[3].lowercased(), "\(row[0])")
        }
    }
}

/// Tables of the shared data, which is not part of the project.
enum Oracle {
    static func rows(_ name: String) throws -> [[String]] {
        let text = String(decoding: try unpacked(name), as: UTF8.self)
        return text.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    static func unpacked(_ name: String) throws -> [UInt8] {
        let gunzip = try Gunzip(FileSource(path: Corpus.source + "/" + name), unpackedBytesMax: 64 << 20)
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { buffer.deallocate() }
        while true {
            let count = try gunzip.read(into: buffer)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
