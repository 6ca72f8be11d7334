import Hummingbird
import Registry
import Testing

@testable import Origin

struct PublishCheckTests {
    let sum = Checksum(bytes: [UInt8](repeating: 1, count: 32))
    let other = Checksum(bytes: [UInt8](repeating: 2, count: 32))

    @Test func `a new crate is nobody's, so ownership is not asked`() throws {
        #expect(try check(storedName: nil, isOwner: false) == .accepted)
    }

    // The order of crates.io: ownership, spelling, number.
    @Test func `the first broken rule is the answer`() throws {
        #expect(try status(storedName: "Foo", isOwner: false, versionExists: true) == 403)
        #expect(try text(storedName: "Foo", versionExists: true).hasPrefix("crate was previously named 'Foo'"))
        #expect(try text(versionExists: true).hasPrefix("crate version '1.0.0' is already uploaded"))
    }

    // I2
    @Test func `a number that was deleted takes its old bytes only`() throws {
        #expect(try check(remembered: sum) == .accepted)
        #expect(try text(remembered: other).hasPrefix("crate version '1.0.0' is already uploaded"))
    }

    private func check(
        storedName: String? = "foo", isOwner: Bool = true, versionExists: Bool = false, remembered: Checksum? = nil
    ) throws -> PublishCheck {
        PublishCheck(
            PublishFacts(
                storedName: storedName, isOwner: isOwner, versionExists: versionExists, rememberedChecksum: remembered),
            name: try CrateName("foo"), version: try Version("1.0.0"), checksum: try #require(sum))
    }

    private func text(
        storedName: String? = "foo", versionExists: Bool = false, remembered: Checksum? = nil
    ) throws -> String {
        guard
            case .refused(let refusal) = try check(
                storedName: storedName, versionExists: versionExists, remembered: remembered)
        else { return "" }
        return refusal.detail
    }

    private func status(storedName: String?, isOwner: Bool, versionExists: Bool) throws -> Int {
        guard
            case .refused(let refusal) = try check(
                storedName: storedName, isOwner: isOwner, versionExists: versionExists)
        else { return 200 }
        return Int(refusal.status.code)
    }
}

struct NewestVersionTests {
    @Test(arguments: [
        (["1.0.0", "1.10.0", "1.9.0"], [], "1.10.0"),
        (["1.0.0", "2.0.0-rc.1"], [], "1.0.0"),
        (["1.0.0", "2.0.0-rc.1"], ["1.0.0"], "2.0.0-rc.1"),
        (["1.0.0", "2.0.0"], ["1.0.0", "2.0.0"], "2.0.0"),
        (["1.0.0-a", "1.0.0-b"], [], "1.0.0-b"),
    ])
    func `releases come before pre-releases, and both before what is yanked`(
        versions: [String], yanked: [String], newest: String
    ) throws {
        let entries = try versions.map { (version: try Version($0), yanked: yanked.contains($0)) }
        #expect(NewestVersion.among(entries)?.description == newest)
    }

    @Test func `no versions, no newest`() { #expect(NewestVersion.among([]) == nil) }
}
