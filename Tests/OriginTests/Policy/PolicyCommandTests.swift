import Foundation
import TestSupport
import Testing

/// The program itself, on files as people write them.
struct PolicyCommandTests {
    private static let policy = """
        format = 1
        ask = "#rust-policy"

        [[rule]]
        name = "critical"
        decision = "block"
        reason = "it has a critical hole"
        when.severity = "critical"

        [[exception]]
        crate = "openssl"
        rules = ["critical"]
        reason = "patched"
        owner = "alice"
        expires = 2020-01-01
        """

    private static func cases(expecting decision: String) -> String {
        """
        [[case]]
        name = "a critical hole"
        expect = "\(decision)"
        version = { name = "openssl", version = "1.0.0", advisories = [{ id = "A-1", vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }] }
        """
    }

    private func policy(
        _ verb: String, _ path: String = "", files: [String: String]
    ) async throws -> ToolResult {
        try await withTemporaryFolder("policy") { folder in
            for (name, text) in files { try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8) }
            return try await runTool(Program.origin.path, ["policy", verb, folder + path])
        }
    }

    @Test func `check counts what it read, and names exceptions that have ended`() async throws {
        let result = try await policy("check", "/policy.toml", files: ["policy.toml": Self.policy])
        #expect(result.status == 0, "\(result.text)")
        #expect(result.output.hasSuffix("policy.toml: 1 rules, 1 exceptions\n"))
        #expect(result.errors.contains("the exception of alice for `openssl*`") == false)
        #expect(result.errors.contains("the exception of alice for `openssl` has ended"))
    }

    @Test(arguments: [
        ("format = 1\nask = \"us\"\nrule = 1", "write each rule under a header of its own"),
        ("format = 1\nask = ", "line 2"),
    ])
    func `check refuses a file that the server would refuse`(text: String, want: String) async throws {
        let result = try await policy("check", "/policy.toml", files: ["policy.toml": text])
        #expect(result.status != 0)
        #expect(result.errors.contains(want), "\(result.text)")
    }

    @Test(arguments: [("/other.toml", "there is no such file"), ("", "it is a folder, and a file is wanted")])
    func `check of a file that can't be read says why, and not how to call it`(path: String, why: String) async throws {
        let result = try await policy("check", path, files: [:])
        #expect(result.status == 1)
        #expect(result.errors.contains("can't be read: \(why)"), "\(result.text)")
        #expect(!result.errors.contains("Usage"), "\(result.text)")
    }

    @Test func `check takes a licence that no list has, and asks whether it is spelled right`() async throws {
        let text = """
            format = 1
            ask = "us"
            [[rule]]
            name = "licences"
            decision = "block"
            reason = "ours alone"
            when.licenses = { allow = ["MIT", "MTI", "BSD-*", "BDS-*", "LicenseRef-Ours"] }
            """
        let result = try await policy("check", "/policy.toml", files: ["policy.toml": text])
        #expect(result.status == 0 && result.output.hasSuffix("1 rules, 0 exceptions\n"), "\(result.text)")
        let asked = result.errors.split(separator: "\n").map { $0.split(separator: "`")[3] }
        #expect(asked == ["MTI", "bds-*"], "\(result.text)")
    }

    @Test func `test passes and fails with the cases`() async throws {
        let good = try await policy(
            "test", files: ["policy.toml": Self.policy, "cases.toml": Self.cases(expecting: "block")])
        #expect(good.status == 0 && good.output == "1 cases passed, 0 failed\n", "\(good.text)")
        let bad = try await policy(
            "test", files: ["policy.toml": Self.policy, "cases.toml": Self.cases(expecting: "allow")])
        #expect(bad.status == 1)
        #expect(
            bad.output == """
                cases.toml: a critical hole: expected allow, the rules say block, by `critical`: A-1 is critical (9.8)
                0 cases passed, 1 failed

                """, "\(bad.text)")
    }

    @Test func `test without cases says how to write one`() async throws {
        let result = try await policy("test", files: ["policy.toml": Self.policy])
        #expect(result.status != 0)
        #expect(result.errors.contains("policy test --help"), "\(result.text)")
    }
}
