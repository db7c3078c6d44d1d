// A private key in PEM form, as it is and encrypted with the password "opensesame"; made by openssl pkcs8 for these tests only.

public enum EncryptedKey {
    public static let password = "opensesame"

    public static let plain = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkhnGOp3NPzDcq6vi
        PGiwRg99+BqnXlNS1yL4pnJo+ZahRANCAASeoKIw/utmBQEgSw5nbHVMD0qKe8Gq
        me+5ZAvn8JtHqAr2fJGnHZ7j1quMZjlBVO7jKLINImzyiJ0AZDFOIKWq
        -----END PRIVATE KEY-----
        """

    public static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhaialOwQuCdwICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOZYx7polETcgNB0yWpvPzMEgZC1
        iblXG+2GmPKh7sm8biv/bVlzDmvjw71e8xRsR7ob7Q3BkUSxHyl5Kwt4eCueiLE/
        ZQ9XPlWwqX3y3il7nCTr1NGpJLSl8KudW4tTyySnMbpNy6btv1Poi9VEmiWRdMcH
        5AzJgh5vdvTgk3nw4BwP1s88j1wFr/WfLDHeOIrnM+RAxa64waXnb1eYKauM0mU=
        -----END ENCRYPTED PRIVATE KEY-----
        """
}
