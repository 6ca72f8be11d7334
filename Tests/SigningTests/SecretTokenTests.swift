import Registry
import Testing

@testable import Signing

struct SecretTokenTests {
    @Test(arguments: SecretToken.Kind.allCases)
    func `a made secret is read back as the same secret`(kind: SecretToken.Kind) throws {
        let made = SecretToken(kind: kind)
        let read = try #require(SecretToken(parsing: made.text))
        #expect(read.kind == kind)
        #expect(read.text == made.text)
        #expect(read.hash == made.hash)
    }

    @Test func `a secret has the shape that scanners look for`() {
        for _ in 0..<200 {
            let text = SecretToken(kind: .token).text
            #expect(text.wholeMatch(of: #/lsh_t[0-9A-Za-z]{49}/#) != nil, "\(text.count) characters")
        }
    }

    @Test func `two secrets are never alike`() {
        let made = (0..<200).map { _ in SecretToken(kind: .edge).text }
        #expect(Set(made).count == made.count)
    }

    // Exhaustive over places, and over every other digit at each place.
    @Test func `any single changed character is noticed`() {
        let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_ \n"
        let text = Array(SecretToken(kind: .token).text)
        var accepted: [Int] = []
        for place in text.indices {
            for digit in alphabet where digit != text[place] {
                var changed = text
                changed[place] = digit
                if SecretToken(parsing: String(changed)) != nil { accepted.append(place) }
            }
        }
        #expect(accepted.isEmpty)
    }

    @Test func `two neighbours that changed places are noticed`() {
        let text = Array(SecretToken(kind: .token).text)
        for place in text.indices.dropLast() where text[place] != text[place + 1] {
            var changed = text
            changed.swapAt(place, place + 1)
            #expect(SecretToken(parsing: String(changed)) == nil, "place \(place)")
        }
    }

    @Test func `a secret of one kind cannot be passed off as another`() {
        let edge = SecretToken(kind: .edge).text
        #expect(SecretToken(parsing: "lsh_t" + edge.dropFirst(5)) == nil)
        #expect(SecretToken(parsing: "lsh_x" + edge.dropFirst(5)) == nil)
    }

    @Test func `a text of another length is no secret`() {
        let text = SecretToken(kind: .token).text
        for length in 0..<text.count { #expect(SecretToken(parsing: text.prefix(length)) == nil) }
        for more in ["0", " ", "\n", text] { #expect(SecretToken(parsing: text + more) == nil) }
        for more in ["0", " ", "Bearer "] { #expect(SecretToken(parsing: more + text) == nil) }
    }

    @Test(arguments: ["", "lsh_", "lsh_t", "cio0123456789", "lsh_t" + String(repeating: "é", count: 24) + "0"])
    func `what we cannot have handed out is refused`(text: String) {
        #expect(SecretToken(parsing: text) == nil)
    }

    @Test func `no way of printing shows the secret`() {
        let secret = SecretToken(kind: .token)
        let body = secret.text.dropFirst(5)
        var dumped = ""
        dump(secret, to: &dumped)
        for printed in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            #expect(!printed.contains(body))
            #expect(printed.contains("lsh_t…"))
        }
    }

    @Test func `the hash is the one that sha256sum prints of the text`() throws {
        // printf %s abc | sha256sum; Checksum and hash agree on the spelling of a digest.
        let known = try #require(Checksum(hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(SecretToken.hash(of: "abc") == known)
        let secret = SecretToken(kind: .token)
        #expect(secret.hash == SecretToken.hash(of: secret.text))
    }

    @Test(arguments: [
        ([UInt8](repeating: 0, count: 32), 43, String(repeating: "0", count: 43)),
        ([61], 2, "0z"), ([62], 2, "10"), ([255], 2, "47"), ([1, 0], 3, "048"),
    ])
    func `base62 spells a number`(bytes: [UInt8], digits: Int, spelled: String) {
        #expect(SecretToken.base62(bytes, digits: digits) == spelled)
    }

    @Test func `43 digits hold every number of 32 bytes`() throws {
        let text = SecretToken.base62([UInt8](repeating: 255, count: 32), digits: 43)
        #expect(try number(spelledBy: text) == [UInt8](repeating: 255, count: 32))
        let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        #expect(try number(spelledBy: SecretToken.base62(bytes, digits: 43)) == bytes)
    }

    /// The 32 bytes that base62 digits spell: the inverse that the program itself never needs.
    private func number(spelledBy text: String) throws -> [UInt8] {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var bytes = [UInt8](repeating: 0, count: 32)
        for digit in text {
            var carry = try #require(alphabet.firstIndex(of: digit))
            for place in bytes.indices.reversed() {
                carry += Int(bytes[place]) * 62
                bytes[place] = UInt8(carry & 0xFF)
                carry >>= 8
            }
            try #require(carry == 0)
        }
        return bytes
    }
}
