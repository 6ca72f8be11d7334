import Foundation
import Signing
import Testing

struct CredentialTests {
    let secret = SecretToken(kind: .token)

    private func text(_ credential: Credential) -> String? {
        if case .secret(let token) = credential { token.text } else { nil }
    }

    // D2, D10
    @Test(arguments: ["%@", "Bearer %@", "bearer %@", "BEARER  %@"])
    func `the secret is read bare and as Bearer in any case`(form: String) {
        let header = form.replacingOccurrences(of: "%@", with: secret.text)
        #expect(text(Credential(authorization: header)) == secret.text)
    }

    // D10
    @Test(arguments: ["user:%@", "%@:", "%@:x-oauth-basic", ":%@"])
    func `Basic carries it as password or as user`(form: String) {
        let pair = Data(form.replacingOccurrences(of: "%@", with: secret.text).utf8).base64EncodedString()
        #expect(text(Credential(authorization: "Basic \(pair)")) == secret.text)
    }

    @Test(arguments: ["", " ", "nonsense", "Bearer", "Bearer x", "Basic !!!", "Basic dXNlcjpwYXNz"])
    func `anything else is malformed`(header: String) {
        guard case .malformed = Credential(authorization: header) else {
            Issue.record("\(header) was accepted")
            return
        }
    }

    @Test func `one wrong character makes it malformed`() {
        let last = secret.text.last == "a" ? "b" : "a"
        #expect(text(Credential(authorization: secret.text.dropLast() + last)) == nil)
    }

    @Test func `another scheme is named without its secret`() {
        guard case .unknownScheme(let scheme) = Credential(authorization: "Digest abc") else {
            Issue.record("Digest was understood")
            return
        }
        #expect(scheme == "Digest")
    }
}
