/** The name of the fact under which the folder's identity is remembered. */
export const ROOT_FACT = 'root-identity';
