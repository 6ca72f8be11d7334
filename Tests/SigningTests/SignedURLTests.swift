import Registry
import Testing

@testable import Signing

/// I7: what a signed URL opens, and everything that it must not open.
struct SignedURLTests {
    static let now = 1_800_000_000
    private static let hash = String(repeating: "ab", count: 32)
    private static let path = "/main/crates/serde/1.0.217+b.1/\(hash).crate"
    private static let subject = URLClaims.Subject.token("17", asOf: 1042)

    let key = SigningKey()
    let oldKey = SigningKey()
    let retiredKey = SigningKey()

    private func ring(edge: String = "eu") throws -> KeyRing {
        try KeyRing(
            SigningKeyList(
                edge: edge,
                keys: [(key, false), (oldKey, false), (retiredKey, true)].map { key, isRetired in
                    .init(id: key.id, key: Base64URL.text(key.publicKey), isRetired: isRetired)
                }))
    }

    private func made(
        _ path: String = path, by key: SigningKey? = nil, expires: Int = now + 300, audience: String = "eu",
        subject: URLClaims.Subject = subject
    ) throws -> SignedURL {
        try (key ?? self.key).sign(path, expires: expires, audience: audience, subject: subject)
    }

    /// - Returns: nil if it opens.
    private func verdict(
        _ target: String, use: KeyRing.Use = .read, at now: Int = now, by edge: String = "eu"
    ) throws -> SignedURL.Refusal? {
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let ring = try ring(edge: edge)
        do throws(SignedURL.Refusal) {
            let url = try SignedURL(path: halves[0], query: halves.count == 2 ? halves[1] : "")
            try ring.check(url, for: use, at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `what was signed opens, by each valid key, for its edge or any, until its end and 30 s more`() throws {
        #expect(try verdict(made().target) == nil)
        #expect(try verdict(made(by: oldKey).target) == nil)
        #expect(try verdict(made(subject: .nobody).target) == nil)
        #expect(try verdict(made(audience: "*").target, by: "us") == nil)
        #expect(try verdict(made(expires: Self.now - 30).target) == nil)
        #expect(try verdict(made(expires: Self.now + 3630).target) == nil)
    }

    @Test func `reading undoes writing`() throws {
        let url = try made()
        let halves = url.target.split(separator: "?").map(String.init)
        #expect(try SignedURL(path: halves[0], query: halves[1]) == url)
        #expect(
            url.query.hasPrefix("ls-exp=1800000300&ls-kid=\(key.id)&ls-aud=eu&ls-sub=17.1042&ls-sig="), "\(url.query)")
    }

    @Test func `time, use, audience and key are refused by name`() throws {
        #expect(try verdict(made(expires: Self.now - 31).target) == .expired)
        #expect(try verdict(made().target, at: Self.now + 331) == .expired)
        #expect(try verdict(made(expires: Self.now + 3631).target) == .early)
        #expect(try verdict(made().target, at: Self.now - 3600) == .early)
        #expect(try verdict(made().target, use: .other) == .method)
        #expect(try verdict(made().target, by: "us") == .audience)
        #expect(try verdict(made().target, by: "EU") == .audience)
        #expect(try verdict(made(by: retiredKey).target) == .retiredKey)
        #expect(try verdict(made(by: SigningKey()).target) == .unknownKey)
        // The id of a good key, the signature of another one.
        let stranger = try #require(SigningKey(id: key.id, seed: SigningKey().seed))
        #expect(try verdict(made(by: stranger).target) == .signature)
    }

    /// Each takes a good target and spoils it.
    struct Spoiling: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let refusal: SignedURL.Refusal
        let spoil: @Sendable (String) -> String

        init(_ name: String, _ refusal: SignedURL.Refusal, _ spoil: @escaping @Sendable (String) -> String) {
            testDescription = name
            self.refusal = refusal
            self.spoil = spoil
        }

        /// Replaces once.
        static func put(
            _ old: String, _ new: String, _ refusal: SignedURL.Refusal, _ name: String? = nil
        ) -> Spoiling {
            Spoiling(name ?? "\(old) becomes \(new)", refusal) { $0.replacing(old, with: new, maxReplacements: 1) }
        }
    }

    static let spoilings: [Spoiling] = [
        // Another file under the same signature.
        .put("/serde/", "/serve/", .signature, "another crate"),
        .put("/serde/", "/Serde/", .signature, "another case of the crate"),
        .put("1.0.217+b.1", "1.0.216+b.1", .signature, "another version"),
        .put("1.0.217+b.1", "1.0.217", .signature, "without build metadata"),
        .put("1.0.217+b.1", "1.0.217+B.1", .signature, "another case of the build metadata"),
        .put("abab.crate", "abac.crate", .signature, "another checksum"),
        .put("/main/", "/secret/", .signature, "another repository"),
        // The same file, spelled otherwise.
        .put("+b.1", "%2Bb.1", .path), .put("+b.1", "%2bb.1", .path), .put("+b.1", " b.1", .path),
        .put("+b.1", "%20b.1", .path), .put("serde", "%73erde", .path), .put("serde", "%2573erde", .path),
        .put("serde/", "serde%2F", .path), .put("/serde", "//serde", .path), .put("/serde", "/./serde", .path),
        .put("/serde", "/x/../serde", .path), .put("/main", "/Main", .path), .put("/crates/", "/Crates/", .path),
        .put(".crate?", ".crate.?", .path, "a trailing dot"), .put(".crate?", ".crate/?", .path, "a trailing slash"),
        .put(".crate?", ".CRATE?", .path, "an upper-case suffix"), .put(".crate?", ".crate%00?", .path),
        .put("/abab", "/ABab", .path, "an upper-case checksum"),
        .put("serde", "sеrde", .path, "a letter that looks alike"),
        .put("/main/crates", "/t/lsh_tX/main/crates", .path, "a token in front"),
        .put("/main/crates", "/main/index", .path, "an index file"),
        Spoiling("no path", .path) { "/?" + $0.split(separator: "?")[1] },
        Spoiling("a path without end", .tooLong) { "/" + String(repeating: "a", count: 1100) + $0 },
        // Parameters.
        Spoiling("no parameters", .foreignParameter) { $0.split(separator: "?")[0] + "?" },
        Spoiling("a parameter more", .foreignParameter) { $0 + "&x=1" },
        Spoiling("a parameter of ours more", .foreignParameter) { $0 + "&ls-cap=write" },
        Spoiling("an empty parameter", .foreignParameter) { $0 + "&" },
        Spoiling("a repeated signature", .repeated(.signature)) { $0 + "&ls-sig=" + $0.suffix(86) },
        Spoiling("a second expiry", .repeated(.expires)) { $0 + "&ls-exp=1800009999" },
        Spoiling("a query without end", .tooLong) { $0 + "&ls-exp=" + String(repeating: "1", count: 600) },
        Spoiling("another order", .order) {
            $0.replacing(#/(ls-kid=\w+)&(ls-aud=eu)/#, with: { "\($0.output.2)&\($0.output.1)" })
        },
        .put("ls-exp", "LS-EXP", .foreignParameter), .put("ls-sig", "ls%2Dsig", .foreignParameter),
        .put("ls-aud=eu&", "", .missing(.audience)), .put("ls-sub=17.1042&", "", .missing(.subject)),
        .put("&ls-kid", ";ls-kid", .missing(.keyID)), .put("ls-aud=eu", "ls-aud", .foreignParameter),
        // Values: other ones that could have been made, and such that could not.
        .put("=1800000300", "=1800000301", .signature), .put("=1800000300", "=01800000300", .value(.expires)),
        .put("=1800000300", "=+1800000300", .value(.expires)), .put("=1800000300", "=1.8e9", .value(.expires)),
        .put("=1800000300", "=-1", .value(.expires)), .put("=1800000300", "=", .value(.expires)),
        .put("=1800000300", "=180000030%30", .value(.expires)), .put("=1800000300", "=999999999999", .value(.expires)),
        .put("=1800000300", "=99999999999999999999", .value(.expires)),
        .put("ls-aud=eu", "ls-aud=*", .signature), .put("ls-aud=eu", "ls-aud=EU", .audience),
        .put("ls-aud=eu", "ls-aud=e%75", .value(.audience)), .put("ls-aud=eu", "ls-aud=eu,us", .value(.audience)),
        .put("ls-aud=eu", "ls-aud=eu.", .value(.audience)), .put("ls-aud=eu", "ls-aud=", .value(.audience)),
        .put("17.1042", "-", .signature), .put("17.1042", "18.1042", .signature),
        .put("17.1042", "17.1043", .signature), .put("17.1042", "17", .value(.subject)),
        .put("17.1042", "17.01042", .value(.subject)), .put("17.1042", "17.+1042", .value(.subject)),
        .put("17.1042", "17.1042.", .value(.subject)), .put("17.1042", ".1042", .value(.subject)),
        .put("17.1042", "-.1042", .value(.subject)), .put("17.1042", "", .value(.subject)),
        .put("ls-kid=k", "ls-kid=K", .unknownKey), .put("ls-kid=k", "ls-kid=%6B", .value(.keyID)),
        Spoiling("a signature without its last character", .value(.signature)) { String($0.dropLast()) },
        Spoiling("padding behind the signature", .value(.signature)) { $0 + "==" },
        Spoiling("an empty signature", .value(.signature)) { String($0.dropLast(86)) },
        Spoiling("a signature of zeros", .signature) { $0.dropLast(86) + String(repeating: "A", count: 86) },
        Spoiling("spare bits behind the signature", .value(.signature)) { $0.dropLast() + "_" },
    ]

    @Test(arguments: spoilings)
    func `I7: a URL that was changed opens nothing`(_ spoiling: Spoiling) throws {
        let good = try made().target
        let bad = spoiling.spoil(good)
        try #require(bad != good)
        #expect(try verdict(good) == nil)
        #expect(try verdict(bad) == spoiling.refusal, "\(bad)")
    }

    @Test func `every flipped bit of the signature is refused`() throws {
        let url = try made()
        for place in 0..<512 {
            var signature = url.signature
            signature[place / 8] ^= 1 << (place % 8)
            let bad = SignedURL(claims: url.claims, signature: signature)
            #expect(try verdict(bad.target) == .signature, "bit \(place)")
        }
    }

    @Test func `the standard alphabet of base64 is another spelling, and refused`() throws {
        var url = try made()
        // Some signature has a character in which the alphabets differ; three of four do.
        var expires = Self.now
        while !url.target.suffix(86).contains("_") {
            expires += 1
            url = try made(expires: expires)
        }
        let bad = url.target.dropLast(86) + url.target.suffix(86).replacing("_", with: "/")
        #expect(try verdict(String(bad)) == .value(.signature))
    }

    @Test(arguments: ["ls-sig=x", "a=1&ls-exp=2", "LS-SIG=1", "ls-", "Ls-anything"])
    func `a query with one of our parameters asks to be judged by its signature`(query: String) {
        #expect(SignedURL.isMeant(by: query))
    }

    @Test(arguments: ["", "a=1", "xls-sig=1", "a=ls-sig", "sig=1"])
    func `any other query does not`(query: String) {
        #expect(!SignedURL.isMeant(by: query))
    }

    @Test func `a key shows nothing of itself, and its seed makes it again`() throws {
        var text = "\(key) \(String(reflecting: key))"
        dump(key, to: &text)
        #expect(text.contains(key.id))
        #expect(!text.contains("\(key.seed[0]), \(key.seed[1])") && !text.lowercased().contains("seed"))
        #expect(SigningKey(id: key.id, seed: key.seed)?.publicKey == key.publicKey)
        #expect(SigningKey(id: key.id, seed: [1, 2, 3]) == nil)
    }

    @Test func `a list with something that is no key is refused whole`() {
        for bad in ["", "AAAA", "not base64!", Base64URL.text(key.publicKey) + "="] {
            #expect(throws: KeyRing.Invalid.self) {
                try KeyRing(SigningKeyList(edge: "eu", keys: [.init(id: "k1", key: bad, isRetired: false)]))
            }
        }
    }

    @Test func `refusals say what to do next, within cargo's 500 characters, and repeat nothing of the request`() throws
    {
        for parameter in SignedURL.Parameter.allCases {
            let refusal = SignedURL.Refusal.value(parameter)
            #expect(refusal.description.contains(parameter.rawValue) && refusal.description.utf8.count < 300)
        }
        let refusal = try #require(try verdict(made().target + "&evil-name=<script>"))
        #expect(!refusal.description.contains("evil"))
    }
}
