import Registry
import Testing

struct LicenseExpressionTests {
    @Test(arguments: [
        "MIT", "MIT OR Apache-2.0", "MIT/Apache-2.0", "MIT / Apache-2.0", "(MIT)", "GPL-3.0+", "Apache-2.0+",
        "GPL-2.0", "(MIT OR Apache-2.0) AND Unicode-DFS-2016", "Apache-2.0 WITH LLVM-exception",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", "LicenseRef-Our-Terms", "0BSD",
        "DocumentRef-x:LicenseRef-y", "GPL-2.0-or-later WITH Classpath-exception-2.0",
    ])
    func `an SPDX expression is taken`(text: String) throws {
        #expect(try LicenseExpression(text).description == text)
    }

    // F10
    @Test(arguments: [
        "", " ", "apache 2.0", "mit", "Apache", "MIT Apache-2.0", "MIT OR", "OR MIT", "MIT AND OR BSD-3-Clause",
        "(MIT", "MIT)", "MIT or Apache-2.0", "MIT WITH", "MIT WITH Foo", "Proprietary", "LicenseRef-", "LicenseRef-a b",
        "MIT++", "+", "MIT, Apache-2.0", "LLVM-exception",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: LicenseExpression.Invalid.self) { try LicenseExpression(text) }
    }

    // F10
    @Test func `the refusal names the word`() {
        #expect { try LicenseExpression("MIT OR Apache 2.0") } throws: { error in
            (error as? LicenseExpression.Invalid)?.stranger == "Apache"
        }
    }

    @Test func `OR binds weaker than AND, AND weaker than WITH`() throws {
        let mit = LicenseExpression.Term.license("MIT", orLater: false, exception: nil)
        let isc = LicenseExpression.Term.license("ISC", orLater: false, exception: nil)
        let apache = LicenseExpression.Term.license("Apache-2.0", orLater: true, exception: "LLVM-exception")
        let expression = try LicenseExpression("MIT OR ISC AND Apache-2.0+ WITH LLVM-exception")
        #expect(expression.term == .any(mit, .all(isc, apache)))
        #expect(expression.identifiers == ["MIT", "ISC", "Apache-2.0"])
        #expect(try LicenseExpression("(MIT/ISC) AND MIT").term == .all(.any(mit, isc), mit))
    }

    @Test func `deep and long expressions are refused`() throws {
        let nested = { (depth: Int) in
            String(repeating: "(", count: depth) + "MIT" + String(repeating: ")", count: depth)
        }
        #expect(throws: Never.self) { try LicenseExpression(nested(32)) }
        #expect(throws: LicenseExpression.Invalid.self) { try LicenseExpression(nested(33)) }
        #expect(throws: LicenseExpression.Invalid.self) {
            try LicenseExpression(Array(repeating: "MIT", count: 300).joined(separator: " OR "))
        }
    }
}
